/** Another password for oneself: one signs in anew with it. */
import { PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeOwnPassword } from "../api/peopleQuestions";
import { FormDialog } from "./FormDialog";
import { NewPasswordField } from "./NewPasswordField";

export function OwnPasswordDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [before, setBefore] = useState("");
  const [after, setAfter] = useState("");
  const change = useMutation({
    mutationFn: () => changeOwnPassword(before, after),
    onSuccess: () => window.location.assign("/"),
  });
  return (
    <FormDialog
      title={t("account.password")}
      action={t("account.change")}
      sending={change}
      onClose={onClose}
    >
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
    </FormDialog>
  );
}
