/** One scale of type, one of space, two text colours; colour is left for what it means. */
import { createTheme, type MantineColorsTuple } from "@mantine/core";

const ink: MantineColorsTuple = [
  "#eef4fa",
  "#dbe7f3",
  "#b6cfe6",
  "#8db4d8",
  "#6399c8",
  "#4582b9",
  "#2f6fb5",
  "#275d98",
  "#214f81",
  "#193d64",
];

const red: MantineColorsTuple = [
  "#fcefed",
  "#f8dcd9",
  "#efb6b0",
  "#e58f86",
  "#db6f64",
  "#c9493e",
  "#b3372d",
  "#962d25",
  "#7b261f",
  "#5e1d18",
];

const dark: MantineColorsTuple = [
  "#d5d8dc",
  "#b3b8bf",
  "#8d949d",
  "#656d77",
  "#3d444d",
  "#2f353d",
  "#23282f",
  "#1b1f25",
  "#15181d",
  "#101317",
];

export const theme = createTheme({
  primaryColor: "ink",
  primaryShade: 6,
  colors: { ink, red, dark },
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  lineHeights: { xs: "1.35", sm: "1.4", md: "1.45", lg: "1.45", xl: "1.3" },
  spacing: { xs: "0.25rem", sm: "0.5rem", md: "0.75rem", lg: "1rem", xl: "1.5rem" },
  radius: { xs: "2px", sm: "4px", md: "5px", lg: "8px", xl: "12px" },
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "auto",
  components: {
    Button: { defaultProps: { size: "xs", variant: "default" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: "md" } },
    TextInput: { defaultProps: { size: "xs" } },
    InputWrapper: { styles: { description: { fontSize: "0.75rem" } } },
    Radio: { styles: { description: { fontSize: "0.75rem" } } },
    Select: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: false, multiline: true, maw: 320 } },
    Modal: {
      defaultProps: {
        centered: true,
        transitionProps: { duration: 0 },
      },
      styles: { title: { fontSize: "1rem", fontWeight: 600 } },
    },
    Spoiler: { styles: { control: { fontSize: "0.8125rem" } } },
    Menu: {
      // Without the placeholder a menu holds its items alone, as readers want it.
      defaultProps: {
        transitionProps: { duration: 0 },
        withInitialFocusPlaceholder: false,
        shadow: "md", // what lies below is as white
      },
    },
    Popover: { defaultProps: { shadow: "md" } },
  },
});
