/** Opens what made a result as a drawing: the node and all that it depends on, as they were run. */
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { createDraft } from "../api/questions";
import type { RunDetail } from "../api/types";
import type { Pipeline } from "../graph/pipeline";
import { upTo } from "../graph/upTo";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { go } from "../shell/route";

interface MakerButtonProps {
  run: RunDetail;
  node: string;
  title: string;
}

export function MakerButton({ run, node, title }: MakerButtonProps) {
  const { t } = useTranslation();
  const open = useMutation({
    mutationFn: () => {
      const pipeline = upTo(run.pipeline as unknown as Pipeline, node); // the server has checked it
      return createDraft({
        ...pipeline,
        name: t("share.makerName", { name: run.name, node: title }),
      });
    },
    onSuccess: ({ id }) => go({ view: "pipeline", id }),
  });
  return (
    <>
      <Button
        leftSection={<Icon name="pipelines" size={14} />}
        loading={open.isPending}
        onClick={() => open.mutate()}
      >
        {t("share.maker")}
      </Button>
      {open.error && <RequestFailure problem={open.error} />}
    </>
  );
}
