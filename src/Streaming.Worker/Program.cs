using Streaming.Worker;

return await CommandLine.RunAsync(args).ConfigureAwait(false);
