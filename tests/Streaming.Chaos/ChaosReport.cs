namespace Streaming.Chaos;

/// <summary>What came of a run.</summary>
/// <param name="Kills">How often the worker was killed.</param>
/// <param name="Recoveries">How often the next one trained on new events.</param>
/// <param name="RecoveryMilliseconds">Time from a kill to the first new event trained on, process start and lease included.</param>
/// <param name="Lost">Events that had no effect.</param>
/// <param name="Duplicated">Effects beyond one an event.</param>
/// <param name="Stale">Items whose value in Redis is not what the final model encodes.</param>
/// <param name="Events">Events produced.</param>
/// <param name="Items">Items compared.</param>
/// <param name="Instants">How many kills hit what, as the files left behind and the last metrics tell.</param>
/// <param name="BrokersKilled">How many Kafka nodes were killed.</param>
/// <param name="MastersKilled">How many Redis masters were killed.</param>
/// <param name="TokensBackwards">Fencing tokens that were not greater than every one before.</param>
internal sealed record ChaosReport(
    int Kills, int Recoveries, RecoveryTimes RecoveryMilliseconds, long Lost, long Duplicated, long Stale, long Events, int Items, KillInstants Instants,
    int BrokersKilled, int MastersKilled, int TokensBackwards)
{
    /// <summary>Gets whether everything promised was kept.</summary>
    public bool IsClean => Lost == 0 && Duplicated == 0 && Stale == 0 && TokensBackwards == 0 && Recoveries == Kills;
}

/// <summary>Quantiles of the recovery time, milliseconds.</summary>
internal sealed record RecoveryTimes(double P50, double Max);

/// <summary>What was under way when the worker was killed.</summary>
/// <param name="WhileStarting">It had not trained on anything new yet.</param>
/// <param name="WhileWritingCheckpoint">A half-written checkpoint stayed behind.</param>
/// <param name="WhileInGroup">It read as a member of a consumer group, which had to notice that it was gone.</param>
internal sealed record KillInstants(int WhileStarting, int WhileWritingCheckpoint, int WhileInGroup);
