namespace Streaming.Worker.Tests.Faults;

/// <summary>How a worker reports each fault.</summary>
internal static class Trouble
{
    public static Task UntilNoticedAsync(RunningWorker worker, Fault fault) =>
        fault switch
        {
            Fault.RedisEmptied => worker.UntilAsync(w => w.Log.Has("Redis has lost its data"), "the loss is noticed"),
            Fault.RedisOutOfMemory => worker.UntilAsync(w => w.Log.Has("Redis is out of memory"), "the lack of memory is noticed"),
            Fault.RedisDown or Fault.RedisHangs => UntilDegradedAsync(worker, "redis"),
            Fault.BrokerDown => UntilDegradedAsync(worker, "kafka"),
            Fault.MembersComeAndGo => worker.UntilAsync(w => w.Log.Has("Revoked interactions["), "partitions are taken away"),

            // These must be too minor to be reported.
            Fault.RedisSlow or Fault.BrokerErrors or Fault.BrokerSlow or Fault.LeadersMove => Task.CompletedTask,
            _ => UntilDegradedAsync(worker, "checkpoints"),
        };

    public static Task UntilOverAsync(RunningWorker worker) =>
        worker.UntilAsync(
            w => w.Part("redis") == "healthy" && w.Part("kafka") == "healthy" && w.Part("checkpoints") == "healthy",
            "healthy again"
        );

    private static Task UntilDegradedAsync(RunningWorker worker, string part) =>
        worker.UntilAsync(w => w.Part(part).StartsWith("degraded", StringComparison.Ordinal), $"health says {part} is degraded");
}
