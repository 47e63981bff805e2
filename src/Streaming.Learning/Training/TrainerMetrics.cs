namespace Streaming.Learning.Training;

/// <summary>
/// Hands a trainer's figures to other threads. A reader gets the newest snapshot and requests the next; the trainer takes
/// snapshots only on request, so unread metrics cost nothing.
/// </summary>
public sealed class TrainerMetrics
{
    private TrainerStatus _status = TrainerStatus.Empty;
    private int _wanted = 1;

    /// <summary>The newest snapshot: at most one read old while training continues. Any thread.</summary>
    public TrainerStatus Read()
    {
        Volatile.Write(ref _wanted, 1);
        return Volatile.Read(ref _status);
    }

    internal void Update(Trainer trainer)
    {
        if (Interlocked.Exchange(ref _wanted, 0) == 1)
        {
            Volatile.Write(ref _status, trainer.Status());
        }
    }
}
