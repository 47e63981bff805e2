/** The widths of the generation that an address names, or of the one that readers use; undefined: there are none yet. */
export function widthsOf(status, query) {
  const { trial } = status ?? {};
  return trial && query.get('generation') === `${trial.generation}` ? trial.widths : status?.widths;
}
