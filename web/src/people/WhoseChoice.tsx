/** Which things a list shows: all that one sees, one's own, or what others share. */
import { SegmentedControl } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Whose } from "../api/types";
import { useSession } from "./useSession";

const CHOICES: readonly Whose[] = ["all", "mine", "shared"];

export function WhoseChoice({
  value,
  onChange,
}: {
  value: Whose;
  onChange: (value: Whose) => void;
}) {
  const { t } = useTranslation();
  const { hasPeople, canEdit } = useSession();
  if (!hasPeople || !canEdit) return null; // a viewer has nothing of their own
  return (
    <SegmentedControl
      size="xs"
      aria-label={t("whose.label")}
      data={CHOICES.map((one) => ({ value: one, label: t(`whose.${one}`) }))}
      value={value}
      onChange={(chosen) => onChange(chosen as Whose)}
    />
  );
}
