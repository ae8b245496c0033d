import { useState } from 'react';
import {
  Button,
  Dialog,
  Form,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  TextField,
} from 'react-aria-components';
import { currentKey } from '../api/key';
import { useStudio } from '../studio/use-studio';

/** Asks for the key of a server that wants one. */
export function KeyDialog() {
  const { server, giveKey } = useStudio();
  const [key, setKey] = useState('');
  return (
    <ModalOverlay className="veil" isOpen={server.state === 'key'} isKeyboardDismissDisabled>
      <Modal className="sheet narrow">
        <Dialog>
          <Form
            className="form"
            onSubmit={(event) => {
              event.preventDefault();
              giveKey(key);
            }}
          >
            <Heading slot="title" level={2}>
              This server wants a key
            </Heading>
            <p>
              {currentKey() === ''
                ? 'Who runs it can give you one.'
                : 'It does not know the key that was given.'}{' '}
              The key is kept until you close this tab.
            </p>
            <TextField
              className="field"
              type="password"
              isRequired
              autoFocus
              value={key}
              onChange={setKey}
            >
              <Label>API key</Label>
              <Input className="input" autoComplete="off" />
            </TextField>
            <Button type="submit" className="button primary">
              Open
            </Button>
          </Form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
