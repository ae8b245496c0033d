import type { LucideIcon } from 'lucide-react';
import { Button, type ButtonProps, Tooltip, TooltipTrigger } from 'react-aria-components';

interface Props extends ButtonProps {
  icon: LucideIcon;
  /** The accessible name, which is also the tooltip. */
  label: string;
}

export function IconButton({ icon: Icon, label, className = '', ...props }: Props) {
  return (
    <TooltipTrigger delay={500}>
      <Button {...props} aria-label={label} className={`icon-button ${className}`}>
        <Icon aria-hidden size={18} strokeWidth={1.75} />
      </Button>
      <Tooltip offset={6} className="tooltip">
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
