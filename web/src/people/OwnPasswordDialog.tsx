/** Another password for oneself: one signs in anew with it. */
import { Button, Group, Modal, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { changeOwnPassword } from "../api/peopleQuestions";
import { NewPasswordField } from "./NewPasswordField";
import { Problem } from "./Problem";

export function OwnPasswordDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [before, setBefore] = useState("");
  const [after, setAfter] = useState("");
  const change = useMutation({
    mutationFn: () => changeOwnPassword(before, after),
    onSuccess: () => window.location.assign("/"),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={t("account.password")}>
      <form onSubmit={submit}>
        <p className="quiet">{t("account.passwordHelp")}</p>
        <PasswordInput
          size="xs"
          label={t("account.old")}
          autoComplete="current-password"
          required
          withAsterisk={false}
          mb="sm"
          value={before}
          onChange={(event) => setBefore(event.currentTarget.value)}
        />
        <NewPasswordField value={after} onChange={setAfter} />
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
