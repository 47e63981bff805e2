namespace Streaming.Transport.Kafka.Readers;

/// <summary>Whether partitions are fetched; applied to every new assignment.</summary>
/// <remarks>librdkafka keeps a partition's pause state while another member owns it. A partition that returns would stay
/// paused with nothing left to resume it, or not be paused while the trainer is behind.</remarks>
/// <param name="apply">Pauses (true) or resumes (false) all assigned partitions.</param>
internal sealed class PauseGate(Action<bool> apply)
{
    private bool _isStale;

    /// <summary>Gets a value indicating whether fetching is paused.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Pauses or resumes current and future assignments.</summary>
    public void Set(bool closed)
    {
        IsClosed = closed;
        _isStale = false;
        apply(closed);
    }

    /// <summary>Records a new assignment. Applied later: the client must not be called from its own callback.</summary>
    public void OnAssigned() => _isStale = true;

    /// <summary>Applies the state to partitions assigned since the last call.</summary>
    public void Apply()
    {
        if (_isStale)
        {
            Set(IsClosed);
        }
    }
}
