/** Where people sign in: in the place of whatever they asked for, which is shown afterwards. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../api/client";
import { signIn } from "../api/peopleQuestions";
import { Icon } from "../icons/Icon";
import { LanguageButtons } from "../shell/LanguageButtons";
import styles from "./people.module.css";

export function SignInPage() {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<string>("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(name.trim(), password);
      window.location.reload(); // nothing is left of whoever was signed in before
    } catch (why) {
      setBusy(false);
      setPassword("");
      setProblem(t(`signIn.${reasonOf(why)}`, { seconds: secondsOf(why) }));
    }
  };
  return (
    <main className={styles.signIn}>
      <form className={styles.signInForm} onSubmit={submit}>
        <h1 className={styles.signInTitle}>
          <img src="/mark.svg" alt="" width={24} height={24} />
          {t("signIn.title")}
        </h1>
        <TextInput
          size="sm"
          label={t("signIn.name")}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          autoFocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          size="sm"
          label={t("signIn.password")}
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {problem && (
          <p className={styles.problem} role="alert">
            <Icon name="warning" size={14} /> {problem}
          </p>
        )}
        <Button type="submit" size="sm" variant="filled" loading={isBusy} fullWidth>
          {t("signIn.do")}
        </Button>
        <p className="quiet">{t("signIn.help")}</p>
        <div className={styles.languages}>
          <LanguageButtons />
        </div>
      </form>
    </main>
  );
}

function reasonOf(problem: unknown): string {
  if (!(problem instanceof ApiFailure)) return "failed";
  if (problem.status === 429) return "tooMany";
  return problem.status === 401 ? "wrong" : "failed";
}

function secondsOf(problem: unknown): number {
  return problem instanceof ApiFailure ? Number(problem.error.details?.retry_after_s ?? 0) : 0;
}
