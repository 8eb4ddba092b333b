/** Gives a user another password, for instance one who forgot theirs. */
import { Button, Group, Modal } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { changePassword } from "../api/peopleQuestions";
import { NewPasswordField } from "./NewPasswordField";
import { Problem } from "./Problem";

export function NewPasswordDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const [password, setPassword] = useState("");
  const change = useMutation({
    mutationFn: () => changePassword(name, password),
    onSuccess: onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={t("users.password", { name })}>
      <form onSubmit={submit}>
        <p className="quiet">{t("users.passwordHelp")}</p>
        <NewPasswordField value={password} onChange={setPassword} />
        <Problem problem={change.error} />
        <Group justify="flex-end" mt="lg">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" variant="filled" loading={change.isPending}>
            {t("account.change")}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
