/** What is read of Node.js's diagnostic report. */
interface ProcessReport {
  readonly header: { readonly glibcVersionRuntime?: string };
  /** The paths of the libraries that the process has loaded. */
  readonly sharedObjects?: readonly string[];
  /** Absent on Windows. */
  readonly userLimits?: { readonly open_files?: { readonly soft: number | string } };
}

/** Node.js's diagnostic report, which is made without opening a file. */
export function processReport(): ProcessReport {
  const { report } = process as unknown as {
    report: { excludeNetwork: boolean; getReport(): ProcessReport };
  };
  // Otherwise it would resolve the host names of the process's peers.
  report.excludeNetwork = true;
  return report.getReport();
}
