using Streaming.Learning.Ranks;
using Streaming.Ranks;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Run;

namespace Streaming.Worker.Commands;

/// <summary>A command that runs on every rank of a job, or in one process.</summary>
internal static class RankedRun
{
    /// <summary>Joins the ranks and runs. When this rank fails, all others end with its exit code: they would wait for it.</summary>
    /// <param name="run">What to run.</param>
    /// <exception cref="RanksException">The ranks cannot be joined.</exception>
    public static async Task<ExitCode> RunAsync(Func<Collective, Task<ExitCode>> run)
    {
        Collective ranks = MpiWorld.Join();
        ExitCode code;
        try
        {
            code = await run(ranks).ConfigureAwait(false);
        }
        catch (Exception exception) when (ranks.Size > 1)
        {
            (code, string message) = Failure.Explain(exception);
            await Console.Error.WriteLineAsync($"streaming: rank {ranks.Rank}: {message}").ConfigureAwait(false);
        }

        if (code == ExitCode.Success)
        {
            ranks.Dispose();
        }
        else if (ranks.Size > 1)
        {
            ranks.Abort((int)code);
        }

        return code;
    }

    /// <summary>The settings of a rank: ranks on one host listen on consecutive ports, and share its cores.</summary>
    /// <exception cref="SettingsException">The settings cannot be used with many ranks.</exception>
    public static WorkerOptions OnThisHost(WorkerOptions settings, Collective ranks)
    {
        if (ranks.Size == 1)
        {
            return settings;
        }

        if (settings.Engine.Engine == EngineKind.Torch)
        {
            throw new SettingsException([
                $"STREAMING__Training__Engine is Torch, and {ranks.Size} ranks were started; allowed: Cpu, or one process. "
                    + "The Torch engine does not share its steps with other ranks.",
            ]);
        }

        int port = settings.Http.Port > 0 ? settings.Http.Port + MpiWorld.LocalRank : settings.Http.Port;
        int cores = Math.Max(1, Environment.ProcessorCount / MpiWorld.LocalSize);
        return settings with
        {
            Http = settings.Http with { Port = port },
            Engine = settings.Engine.Threads == 0 ? settings.Engine with { Threads = cores } : settings.Engine,
        };
    }
}
