/** The pictures that a node of a run made: look at them, find what is wrong, correct it. */
import { Badge, Button, Loader, Select, Tabs } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Pictures } from "../api/dataQuestions";
import type { ImagesInfo, RunDetail } from "../api/types";
import { endOf, textOf } from "../graph/pipeline";
import { numberIn } from "../i18n/numbers";
import { Icon } from "../icons/Icon";
import { RequestFailure } from "../runs/FailureCard";
import { useTitles } from "../runs/NodeList";
import { useRun } from "../runs/queries";
import { Link } from "../shell/Link";
import { Message } from "../shell/Message";
import { go } from "../shell/route";
import { BeforeAfter } from "./BeforeAfter";
import { CorrectionList } from "./CorrectionList";
import { MOST_CORRECTIONS } from "./corrections";
import { DuplicatesView } from "./DuplicatesView";
import styles from "./data.module.css";
import { LeftOutList } from "./LeftOutList";
import { PicturesView } from "./PicturesView";
import { useImages } from "./queries";
import { Sizes } from "./Sizes";
import { useCorrections, useTrouble } from "./store";

type Tab = "pictures" | "duplicates" | "sizes" | "leftOut" | "corrections" | "beforeAfter";

const CORRECTING = "correct_images";

export function DataPage({ which }: { which: Pictures }) {
  const { t } = useTranslation();
  const { detail } = useRun(which.run);
  const images = useImages(which);
  const problem = images.error ?? detail.error;
  if (problem) {
    return (
      <Message title={t("data.gone")}>
        <RequestFailure problem={problem} onAgain={() => void images.refetch()} />
        <Button onClick={() => go({ view: "run", id: which.run, node: which.node })}>
          {t("data.toRun")}
        </Button>
      </Message>
    );
  }
  if (!images.data || !detail.data) {
    return <Loader size="sm" m="lg" aria-label={t("loading")} />;
  }
  return <Views which={which} found={images.data} run={detail.data} />;
}

interface ViewsProps {
  which: Pictures;
  found: ImagesInfo;
  run: RunDetail;
}

function Views({ which, found, run }: ViewsProps) {
  const { t } = useTranslation();
  const [tab, setTab] = useState<Tab>("pictures");
  const corrections = Object.keys(useCorrections(which).now).length;
  const isCorrected = run.resolved[which.node]?.component === CORRECTING;
  const titles = useTitles(run);
  const nameOf = (node: string, port: string) =>
    found.others.filter((one) => one.node === node).length > 1
      ? `${titles(node)}: ${port}`
      : titles(node);
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1>{t("data.title", { node: nameOf(which.node, which.port) })}</h1>
        <span className="quiet number">{t("data.count", { count: found.images })}</span>
        <Select
          aria-label={t("data.which")}
          w={280}
          data={found.others.map(({ node, port }) => ({
            value: textOf({ node, port }),
            label: nameOf(node, port),
          }))}
          value={textOf(which)}
          onChange={(value) => {
            go({ view: "data", run: which.run, ...endOf(value ?? "") });
          }}
          allowDeselect={false}
        />
        <Link to={{ view: "run", id: which.run, node: which.node }} className={styles.back}>
          {t("data.toRun")}
        </Link>
      </header>
      <CorrectionTrouble />
      <Tabs
        value={tab}
        onChange={(value) => setTab((value as Tab | null) ?? "pictures")}
        keepMounted={false}
        className={styles.tabs}
      >
        <Tabs.List aria-label={t("data.tabs")}>
          <Tabs.Tab value="pictures">{t("data.pictures")}</Tabs.Tab>
          <Tabs.Tab value="duplicates">{t("data.duplicates")}</Tabs.Tab>
          <Tabs.Tab value="sizes">{t("data.sizes")}</Tabs.Tab>
          <Tabs.Tab value="leftOut">
            {t("data.leftOut")} <Count value={found.left_out} />
          </Tabs.Tab>
          <Tabs.Tab value="corrections">
            {t("data.corrections")} <Count value={corrections} />
          </Tabs.Tab>
          {isCorrected && <Tabs.Tab value="beforeAfter">{t("data.beforeAfter")}</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="pictures" className={styles.panelOfWall}>
          <PicturesView which={which} images={found} onCorrections={() => setTab("corrections")} />
        </Tabs.Panel>
        <Tabs.Panel value="duplicates" className={styles.panel}>
          <DuplicatesView which={which} images={found} nameOf={nameOf} />
        </Tabs.Panel>
        <Tabs.Panel value="sizes" className={styles.panel} tabIndex={0}>
          <Sizes which={which} images={found} />
        </Tabs.Panel>
        <Tabs.Panel value="leftOut" className={styles.panel} tabIndex={0}>
          <LeftOutList which={which} images={found} />
        </Tabs.Panel>
        <Tabs.Panel value="corrections" className={styles.panel}>
          <CorrectionList which={which} images={found} />
        </Tabs.Panel>
        {isCorrected && (
          <Tabs.Panel value="beforeAfter" className={styles.panel}>
            <BeforeAfter which={which} run={run} />
          </Tabs.Panel>
        )}
      </Tabs>
    </div>
  );
}

/** Stays where it is read out when it comes. */
function CorrectionTrouble() {
  const { t } = useTranslation();
  const trouble = useTrouble();
  return (
    <div role="alert">
      {trouble && (
        <p className={styles.trouble}>
          <Icon name="warning" size={14} />{" "}
          {t(`corrections.${trouble}`, { most: MOST_CORRECTIONS })}
        </p>
      )}
    </div>
  );
}

function Count({ value }: { value: number }) {
  if (value === 0) return null;
  return (
    <Badge size="sm" variant="light" className="number">
      {numberIn(value)}
    </Badge>
  );
}
