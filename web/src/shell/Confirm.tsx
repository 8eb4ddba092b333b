/** Asks before something goes for ever. */
import { Button, Group, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface ConfirmProps {
  title: string;
  text: string;
  /** What the button says that does it. */
  action: string;
  isOpen: boolean;
  isBusy?: boolean;
  onClose: () => void;
  onConfirm: () => void;
  /** What went wrong. */
  children?: ReactNode;
}

export function Confirm(props: ConfirmProps) {
  const { title, text, action, isOpen, isBusy = false, onClose, onConfirm, children } = props;
  const { t } = useTranslation();
  return (
    <Modal opened={isOpen} onClose={onClose} title={title}>
      <p>{text}</p>
      {children}
      <Group gap="sm" justify="flex-end" mt="lg">
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button color="red" variant="filled" loading={isBusy} onClick={onConfirm}>
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
