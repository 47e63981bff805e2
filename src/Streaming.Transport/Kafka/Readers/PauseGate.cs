namespace Streaming.Transport.Kafka.Readers;

/// <summary>Whether partitions are fetched. Whatever is assigned is set to it.</summary>
/// <remarks>librdkafka keeps a pause by partition, also while another member has it: a partition that comes back is as it was
/// when it went, paused when nobody is there any more to resume it, or not paused while the trainer is behind.</remarks>
/// <param name="apply">Pauses (true) or resumes (false) all partitions that are assigned.</param>
internal sealed class PauseGate(Action<bool> apply)
{
    private bool _isStale;

    /// <summary>Gets a value indicating whether nothing is fetched.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Pauses or resumes what is assigned now and whatever will be.</summary>
    public void Set(bool closed)
    {
        IsClosed = closed;
        _isStale = false;
        apply(closed);
    }

    /// <summary>Says that partitions were assigned. Nothing is applied yet: the client is not to be called from its own callback.</summary>
    public void OnAssigned() => _isStale = true;

    /// <summary>Brings partitions that were assigned since the last call into line.</summary>
    public void Apply()
    {
        if (_isStale)
        {
            Set(IsClosed);
        }
    }
}
