namespace Streaming.Worker.Health;

/// <summary>How parts of the program are, for the health endpoints. Safe from any thread.</summary>
public sealed class HealthReport
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (HealthLevel Level, string Text)> _parts = new(StringComparer.Ordinal);

    /// <summary>Gets the worst level of all parts.</summary>
    public HealthLevel Level
    {
        get
        {
            lock (_gate)
            {
                return _parts.Count == 0 ? HealthLevel.Healthy : _parts.Values.Max(part => part.Level);
            }
        }
    }

    /// <summary>Says how a part is.</summary>
    /// <param name="part">"kafka", "redis", "trainer", ….</param>
    /// <param name="level">Its level.</param>
    /// <param name="text">In words, without secrets.</param>
    public void Set(string part, HealthLevel level, string text = "")
    {
        lock (_gate)
        {
            _parts[part] = (level, text);
        }
    }

    /// <summary>The level of each part as of now.</summary>
    public IReadOnlyDictionary<string, HealthLevel> Levels()
    {
        lock (_gate)
        {
            return _parts.ToDictionary(part => part.Key, part => part.Value.Level);
        }
    }

    /// <summary>All parts as of now.</summary>
    public IReadOnlyDictionary<string, string> Parts()
    {
        lock (_gate)
        {
            return _parts.ToDictionary(
                part => part.Key,
                part => part.Value.Text.Length == 0 ? Name(part.Value.Level) : $"{Name(part.Value.Level)}: {part.Value.Text}"
            );
        }
    }

    /// <summary>The level as it is written.</summary>
    public static string Name(HealthLevel level) =>
        level switch
        {
            HealthLevel.Healthy => "healthy",
            HealthLevel.Degraded => "degraded",
            HealthLevel.NotReady => "not ready",
            _ => "failed",
        };
}
