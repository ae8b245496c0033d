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
import { useAppState } from '../state/app-state';

/** Asks for an API key if the server requires one. */
export function KeyDialog() {
  const { server, enterKey } = useAppState();
  const [key, setKey] = useState('');
  return (
    <ModalOverlay
      className="overlay"
      isOpen={server.status === 'key-required'}
      isKeyboardDismissDisabled
    >
      <Modal className="modal narrow">
        <Dialog>
          <Form
            className="form"
            onSubmit={(event) => {
              event.preventDefault();
              enterKey(key);
            }}
          >
            <Heading slot="title" level={2}>
              Enter your API key
            </Heading>
            <p>
              {currentKey() === ''
                ? 'This server requires an API key. Ask its administrator for one.'
                : 'The server rejected this key. Check it and try again.'}{' '}
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
              Continue
            </Button>
          </Form>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
