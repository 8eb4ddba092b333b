/** Takes the last correction back, and makes it again. */
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import { Icon } from "../icons/Icon";
import { redo, undo } from "./corrections";
import { changeCorrections, useCorrections } from "./store";

export function UndoButtons({ which }: { which: Pictures }) {
  const { t } = useTranslation();
  const history = useCorrections(which);
  return (
    <>
      <Button
        disabled={history.past.length === 0}
        leftSection={<Icon name="back" size={14} />}
        onClick={() => changeCorrections(which, undo)}
      >
        {t("data.undo")}
      </Button>
      <Button
        disabled={history.future.length === 0}
        leftSection={<Icon name="forward" size={14} />}
        onClick={() => changeCorrections(which, redo)}
      >
        {t("data.redo")}
      </Button>
    </>
  );
}
