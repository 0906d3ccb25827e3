/** Rows that the grid asks for at once. */
export const PAGE = 100;
