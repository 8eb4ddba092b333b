/** A run with its graph beside what is known of a node; where the screen is narrow, with a list. */
import { useMediaQuery } from "@mantine/hooks";
import { RunPage } from "../runs/RunPage";
import { RunGraph } from "./RunGraph";

export function RunView({ id, node }: { id: string; node: string }) {
  const isWide = useMediaQuery("(min-width: 900px)", true, { getInitialValueInEffect: false });
  if (!isWide) return <RunPage id={id} node={node} />;
  return (
    <RunPage
      id={id}
      node={node}
      graph={(run, now, chosen) => <RunGraph run={run} now={now} chosen={chosen} />}
    />
  );
}
