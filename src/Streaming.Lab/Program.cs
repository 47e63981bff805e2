using Streaming.Lab.Commands;
using Streaming.Worker.Commands;

return await CommandLine.RunAsync(LabCommands.Create(), args).ConfigureAwait(false);
