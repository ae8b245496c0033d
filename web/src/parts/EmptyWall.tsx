import { useStudio } from '../studio/use-studio';
import grain from '../style/grain.svg';

/** What the wall says before its first picture. */
export function EmptyWall() {
  const { form } = useStudio();
  return (
    <div className="empty">
      <div className="empty-frames">
        {[0, 1, 2].map((i) => (
          <img key={i} src={grain} alt="" width={128} height={128} />
        ))}
      </div>
      <p className="empty-title">Every picture starts as noise.</p>
      <p>
        {form.settings.kind === 'create'
          ? 'Describe one, or pick an example.'
          : 'Give one to vary: drop it, paste it, or choose a file.'}
      </p>
    </div>
  );
}
