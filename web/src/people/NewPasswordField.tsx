/** A password that is chosen, with what it must be. */
import { PasswordInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

const MIN_CHARS = 12;

interface NewPasswordFieldProps {
  value: string;
  onChange: (value: string) => void;
}

export function NewPasswordField({ value, onChange }: NewPasswordFieldProps) {
  const { t } = useTranslation();
  return (
    <PasswordInput
      size="xs"
      label={t("account.new")}
      description={t("account.least", { count: MIN_CHARS })}
      autoComplete="new-password"
      minLength={MIN_CHARS}
      required
      withAsterisk={false}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
