using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Faults;

/// <summary>The two scenarios of every outage, under load, with the whole worker.</summary>
internal static class Outage
{
    /// <summary>A fault occurs and ends: every event has counted once, and Redis holds what the model encodes.</summary>
    public static async Task BreakAndHealAsync(Fault fault)
    {
        await using FaultBench bench = await FaultBench.StartAsync(fault);
        await using RunningWorker worker = bench.StartWorker();
        await worker.UntilAsync(w => w.Status.Counts.Trained > 200, "trains");

        await bench.BreakAsync(fault);
        await Trouble.UntilNoticedAsync(worker, fault);
        if (fault != Fault.BrokerDown)
        {
            // Training continues during the fault.
            long trained = worker.Status.Counts.Trained;
            await worker.UntilAsync(w => w.Status.Counts.Trained > trained + 100, "trains on");
        }

        await bench.HealAsync(fault);
        await Trouble.UntilOverAsync(worker);
        await bench.FinishAsync(worker);
    }

    /// <summary>SIGTERM while something is broken: an end in time, and the next worker makes everything good.</summary>
    /// <param name="fault">What is broken.</param>
    /// <param name="expected">The exit code.</param>
    public static async Task TerminateWhileBrokenAsync(Fault fault, ExitCode expected = ExitCode.Success)
    {
        await using FaultBench bench = await FaultBench.StartAsync(fault);
        await using (RunningWorker worker = bench.StartWorker())
        {
            await worker.UntilAsync(w => w.Status.Counts.Trained > 200, "trains");
            await bench.BreakAsync(fault);
            await Trouble.UntilNoticedAsync(worker, fault);

            // Longer than the limit would be an abort, which has another exit code.
            ExitCode code = await worker.TerminateAsync();
            Assert.True(code == expected, $"{code}\n{worker.Log.Text}");
        }

        await bench.HealAsync(fault);
        await using RunningWorker next = bench.StartWorker();
        await bench.FinishAsync(next);
    }
}
