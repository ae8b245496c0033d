import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, type ButtonProps, Tooltip, TooltipTrigger } from 'react-aria-components';

interface Props extends Omit<ButtonProps, 'children'> {
  icon: LucideIcon;
  /** The accessible name. */
  label: string;
  /** The visible part of the name, under the icon. Without it, the name is a tooltip. */
  text?: string;
}

export function IconButton({ icon: Icon, label, text, className = '', ...props }: Props) {
  const kind = text === undefined ? 'icon-button' : 'labelled-button';
  const button = (
    <Button {...props} aria-label={label} className={`${kind} ${className}`}>
      <Icon aria-hidden size={18} strokeWidth={1.75} />
      {text}
    </Button>
  );
  return text === undefined ? <WithTooltip text={label}>{button}</WithTooltip> : button;
}

function WithTooltip({ text, children }: { text: string; children: ReactNode }) {
  return (
    <TooltipTrigger delay={500}>
      {children}
      <Tooltip offset={6} className="tooltip">
        {text}
      </Tooltip>
    </TooltipTrigger>
  );
}
