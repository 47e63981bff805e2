namespace Streaming.Learning.Training;

/// <summary>
/// Hands a trainer's figures to other threads. A reader gets the newest picture and asks for the next one; the trainer
/// takes a picture only when it was asked, so nobody looking costs nothing.
/// </summary>
public sealed class TrainerMetrics
{
    private TrainerStatus _status = TrainerStatus.Empty;
    private int _wanted = 1;

    /// <summary>The newest picture: at most one reading old while training goes on. Any thread.</summary>
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
