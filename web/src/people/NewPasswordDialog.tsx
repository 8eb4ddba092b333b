/** Gives a user another password, for instance one who forgot theirs. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changePassword } from "../api/peopleQuestions";
import { FormDialog } from "./FormDialog";
import { NewPasswordField } from "./NewPasswordField";

export function NewPasswordDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const [password, setPassword] = useState("");
  const change = useMutation({
    mutationFn: () => changePassword(name, password),
    onSuccess: onClose,
  });
  return (
    <FormDialog
      title={t("users.password", { name })}
      action={t("account.change")}
      sending={change}
      onClose={onClose}
    >
      <p className="quiet">{t("users.passwordHelp")}</p>
      <NewPasswordField value={password} onChange={setPassword} />
    </FormDialog>
  );
}
