import type { Pin } from './pin.js';

/** The wheels of CUDA 13.0 that the torch wheel for Linux x64 requires. */
export const cudaWheels: readonly Pin[] = [
  {
    requirement: 'nvidia-cudnn-cu13==9.19.0.56',
    sha256: 'd20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf',
    bytes: 366_066_321,
    take: ['nvidia/cudnn/lib/'],
  },
  {
    requirement: 'nvidia-cusparselt-cu13==0.8.0',
    sha256: '25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd',
    bytes: 169_884_119,
    take: ['nvidia/cusparselt/lib/'],
  },
  {
    requirement: 'nvidia-nccl-cu13==2.28.9',
    sha256: 'e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42',
    bytes: 196_493_177,
    take: ['nvidia/nccl/lib/'],
  },
  {
    requirement: 'nvidia-nvshmem-cu13==3.4.5',
    sha256: '290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80',
    bytes: 60_412_546,
    take: ['nvidia/nvshmem/lib/'],
  },
  {
    requirement: 'nvidia-cublas==13.1.0.3',
    sha256: 'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
    bytes: 423_133_236,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cuda-nvrtc==13.0.88',
    sha256: 'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
    bytes: 90_215_200,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cufft==12.0.0.61',
    sha256: '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
    bytes: 214_085_489,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cufile==1.15.1.6',
    sha256: '08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44',
    bytes: 1_223_672,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-curand==10.4.0.35',
    sha256: '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
    bytes: 59_544_258,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cusolver==12.0.4.66',
    sha256: '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
    bytes: 200_941_980,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cusparse==12.6.3.3',
    sha256: '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
    bytes: 145_942_937,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-nvjitlink==13.0.88',
    sha256: '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
    bytes: 40_713_933,
    take: ['nvidia/cu13/lib/'],
  },
];
