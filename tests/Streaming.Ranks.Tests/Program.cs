using Streaming.Ranks.Tests;
using Xunit.Runner.InProc.SystemConsole;

return args is ["--rank", string task] ? RankProcess.Run(task) : await ConsoleRunner.Run(args);
