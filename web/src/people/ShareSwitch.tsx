/** Lets all users see a thing, or no longer; shown to those who may change it. */
import { Switch, Tooltip } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Ownership } from "../api/types";
import styles from "./people.module.css";
import { useSession } from "./useSession";

interface ShareSwitchProps {
  ownership: Ownership;
  onShare: (isShared: boolean) => Promise<Ownership>;
  /** Called with whose it is then. */
  onDone: (ownership: Ownership) => unknown;
  /** Spoken where the thing's name does not stand beside it. */
  label?: string;
}

export function ShareSwitch({ ownership, onShare, onDone, label }: ShareSwitchProps) {
  const { t } = useTranslation();
  const { hasPeople, user } = useSession();
  const share = useMutation({ mutationFn: onShare, onSuccess: onDone });
  if (!hasPeople) return null;
  const whose = ownership.owner || t("sharing.machine");
  if (!ownership.is_mine) {
    return <span className="quiet">{t("sharing.of", { who: whose })}</span>;
  }
  return (
    <span className={styles.share}>
      {ownership.owner !== user && <span className="quiet">{t("sharing.of", { who: whose })}</span>}
      <Tooltip label={share.error?.message ?? t("sharing.help")}>
        <Switch
          size="xs"
          aria-label={label}
          label={label ? undefined : t("sharing.shared")}
          checked={share.isPending ? share.variables : ownership.is_shared}
          error={share.error !== null}
          onChange={(event) => share.mutate(event.currentTarget.checked)}
        />
      </Tooltip>
    </span>
  );
}
