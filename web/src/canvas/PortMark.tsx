/** The mark of a port's type: a shape and a colour, so that neither alone must be told apart. */
import { useSurroundings } from "./surroundings";

const SHAPES = [
  "M8 2a6 6 0 1 0 0.01 0z",
  "M2.500 2.500h11v11h-11z",
  "M8 1l7 7-7 7-7-7z",
  "M8 1.500l7 12.500H1z",
  "M4.500 2h7l4 6-4 6h-7L.5 8z",
  "M8 1l7 5.200-2.700 8.300H3.700L1 6.200z",
  "M5.500 1.500h5v4h4v5h-4v4h-5v-4h-4v-5h4z",
];
const UNKNOWN_COLOUR = "#8d949d";

/** Returns the colour as it stands out in the page's light or dark. */
export function lifted(colour: string): string {
  return `color-mix(in srgb, ${colour}, white var(--lift))`;
}

interface PortMarkProps {
  type: string;
  size?: number;
  /** An input that may stay open is hollow. */
  isOptional?: boolean;
}

export function PortMark({ type, size = 12, isOptional = false }: PortMarkProps) {
  const { catalogue } = useSurroundings();
  const place = [...catalogue.portTypes.keys()].indexOf(type);
  const colour = lifted(catalogue.portTypes.get(type)?.colour ?? UNKNOWN_COLOUR);
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" style={{ flex: "none" }}>
      <path
        d={SHAPES[place % SHAPES.length] ?? SHAPES[0]}
        fill={isOptional ? "var(--paper)" : colour}
        stroke={isOptional ? colour : "var(--paper)"}
        strokeWidth={isOptional ? 2 : 1.5}
        strokeLinejoin="round"
      />
    </svg>
  );
}
