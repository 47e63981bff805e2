namespace Streaming.Chaos;

/// <summary>The result of a run.</summary>
/// <param name="Kills">How often the worker was killed.</param>
/// <param name="Recoveries">How often the next worker trained on new events.</param>
/// <param name="RecoveryMilliseconds">Time from a kill to the first new trained event, including process start and lease.</param>
/// <param name="Lost">Events without effect.</param>
/// <param name="Duplicated">Effects beyond one per event.</param>
/// <param name="Stale">Items whose value in Redis is not what the final model encodes.</param>
/// <param name="Events">Events produced.</param>
/// <param name="Items">Items compared.</param>
/// <param name="Instants">What the kills hit, according to the files left behind and the last metrics.</param>
/// <param name="BrokersKilled">How many Kafka nodes were killed.</param>
/// <param name="MastersKilled">How many Redis masters were killed.</param>
/// <param name="TokensBackwards">Fencing tokens that were not greater than all earlier ones.</param>
/// <param name="Ranks">What became of jobs of many ranks.</param>
internal sealed record ChaosReport(
    int Kills,
    int Recoveries,
    RecoveryTimes RecoveryMilliseconds,
    long Lost,
    long Duplicated,
    long Stale,
    long Events,
    int Items,
    KillInstants Instants,
    int BrokersKilled,
    int MastersKilled,
    int TokensBackwards,
    RankStrikes Ranks
)
{
    /// <summary>Gets whether all guarantees held.</summary>
    public bool IsClean => Lost == 0 && Duplicated == 0 && Stale == 0 && TokensBackwards == 0 && Recoveries == Kills;
}

/// <summary>Quantiles of the recovery time, milliseconds.</summary>
internal sealed record RecoveryTimes(double P50, double Max);

/// <summary>What was in progress when the worker was killed.</summary>
/// <param name="WhileStarting">It had not trained on any new event yet.</param>
/// <param name="WhileWritingCheckpoint">It left a partially written checkpoint behind.</param>
/// <param name="WhileInGroup">It was a member of a consumer group, which had to detect its loss.</param>
internal sealed record KillInstants(int WhileStarting, int WhileWritingCheckpoint, int WhileInGroup);

/// <summary>What became of jobs of many ranks.</summary>
/// <param name="Sizes">The numbers of ranks of the jobs.</param>
/// <param name="Killed">Ranks killed.</param>
/// <param name="LaunchersKilled">Launchers killed.</param>
/// <param name="Frozen">Ranks frozen.</param>
/// <param name="LinksCut">How often the link between the hosts was cut.</param>
internal sealed record RankStrikes(IReadOnlyList<int> Sizes, int Killed, int LaunchersKilled, int Frozen, int LinksCut);
