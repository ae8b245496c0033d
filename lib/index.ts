export { KarloError, type KarloErrorCode } from './errors.js';
