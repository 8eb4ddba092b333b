/** A dialog with a small form: its fields, what the server refused, and the button that sends it. */
import { Button, Group, Modal } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "./Problem";

interface FormDialogProps {
  title: string;
  /** What the button says that sends it. */
  action: string;
  sending: { mutate: () => void; error: Error | null; isPending: boolean };
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({ title, action, sending, onClose, children }: FormDialogProps) {
  const { t } = useTranslation();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    sending.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={title}>
      <form onSubmit={submit}>
        {children}
        <Problem problem={sending.error} />
        <Group justify="flex-end" mt="lg">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" variant="filled" loading={sending.isPending}>
            {action}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
