using Streaming.Worker.Commands;

return await CommandLine.RunAsync(WorkerCommands.Create(), args).ConfigureAwait(false);
