import { Eraser, Trash2 } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState } from 'react';
import { ToggleButton } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { useObjectUrl } from '../state/browser';
import { type Brush, drawLine, drawMask, maskSide, type Point, toMask } from '../state/mask';
import type { Source } from '../state/source';
import { IconButton } from './IconButton';
import { NumberSlider } from './NumberSlider';

/** Paints the part of an image that is repainted, with the pointer or with the keyboard. */
export function MaskPainter({ source }: { source: Source }) {
  const [brush, setBrush] = useState<Brush>({ width: 80, erases: false });
  const help = useId();
  return (
    <div className="mask-field">
      <MaskImage source={source} brush={brush} help={help} />
      <p id={help} className="hint">
        Paint over what should change, with the pointer or with the arrow keys and Space.
      </p>
      <MaskTools brush={brush} setBrush={setBrush} />
    </div>
  );
}

interface MaskImageProps {
  source: Source;
  brush: Brush;
  /** The id of the instructions. */
  help: string;
}

function MaskImage({ source, brush, help }: MaskImageProps) {
  const { canvas, save } = usePaintedMask();
  const [cursor, setCursor] = useState<Point>({ x: maskSide / 2, y: maskSide / 2 });
  /** Where the stroke of a pointer is; undefined between strokes. */
  const last = useRef<Point>(undefined);
  const stroke = (from: Point, to: Point) => drawLine(canvas.current, from, to, brush);

  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const to = pointOf(event);
    setCursor(to);
    if (last.current === undefined) return;
    stroke(last.current, to);
    last.current = to;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = move(cursor, step, brush.width / 4);
    setCursor(to);
    if (event.key !== ' ' && !event.shiftKey) return;
    stroke(cursor, to);
    save();
  };
  return (
    <div
      className="mask-image"
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: as an application, it handles its own keys
      tabIndex={0}
      aria-label="Part to repaint"
      aria-describedby={help}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        last.current = pointOf(event);
        stroke(last.current, last.current);
      }}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        last.current = undefined;
        save();
      }}
      onKeyDown={onKeyDown}
    >
      <Square source={source} />
      <canvas ref={canvas} width={maskSide} height={maskSide} />
      <span
        className="brush"
        style={{
          left: percent(cursor.x),
          top: percent(cursor.y),
          width: percent(brush.width),
        }}
      />
    </div>
  );
}

/** A canvas that shows the mask of the form, and a function that takes what is painted as the mask. */
function usePaintedMask() {
  const { mask, setMask } = useAppState().inputs;
  const canvas = useRef<HTMLCanvasElement>(null);
  const saved = useRef<Blob>(undefined);
  useEffect(() => {
    // Otherwise, the mask is what the canvas shows.
    if (mask !== saved.current) drawMask(canvas.current, mask);
    saved.current = mask;
  }, [mask]);
  const save = async () => {
    saved.current = await toMask(canvas.current);
    setMask(saved.current);
  };
  return { canvas, save };
}

/** The image as the square that is sent. */
function Square({ source: { file, fit, position } }: { source: Source }) {
  const url = useObjectUrl(file);
  const at = `${100 * position}%`;
  return url && <img src={url} alt="" style={{ objectFit: fit, objectPosition: `${at} ${at}` }} />;
}

interface MaskToolsProps {
  brush: Brush;
  setBrush: (brush: Brush) => void;
}

function MaskTools({ brush, setBrush }: MaskToolsProps) {
  const { setMask } = useAppState().inputs;
  return (
    <div className="mask-tools">
      <NumberSlider
        name="Brush"
        label="Width of the brush"
        description="Width of the brush, in pixels of the mask."
        value={brush.width}
        range={[10, 200]}
        step={10}
        onChange={(width) => setBrush({ ...brush, width })}
      />
      <ToggleButton
        className="labelled-button lock"
        isSelected={brush.erases}
        onChange={(erases) => setBrush({ ...brush, erases })}
      >
        <Eraser aria-hidden size={18} />
        Erase
      </ToggleButton>
      <IconButton
        icon={Trash2}
        label="Clear the painted part"
        text="Clear"
        onPress={() => setMask(undefined)}
      />
    </div>
  );
}

type Step = readonly [number, number];

/** Where keys move the brush. */
const steps: Readonly<Record<string, Step>> = {
  ' ': [0, 0],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function move({ x, y }: Point, [dx, dy]: Step, distance: number): Point {
  const clamp = (position: number) => Math.min(maskSide, Math.max(0, position));
  return { x: clamp(x + dx * distance), y: clamp(y + dy * distance) };
}

function pointOf({ nativeEvent, currentTarget }: PointerEvent<HTMLElement>): Point {
  const scale = maskSide / currentTarget.clientWidth;
  return { x: nativeEvent.offsetX * scale, y: nativeEvent.offsetY * scale };
}

function percent(length: number): string {
  return `${(100 * length) / maskSide}%`;
}
