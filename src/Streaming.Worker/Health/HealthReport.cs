namespace Streaming.Worker.Health;

/// <summary>The state of the program's parts, for the health endpoints. Thread-safe.</summary>
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

    /// <summary>Sets the state of a part.</summary>
    /// <param name="part">"kafka", "redis", "trainer", ….</param>
    /// <param name="level">Its level.</param>
    /// <param name="text">What is wrong, without secrets.</param>
    public void Set(string part, HealthLevel level, string text = "")
    {
        lock (_gate)
        {
            _parts[part] = (level, text);
        }
    }

    /// <summary>The current level of each part.</summary>
    public IReadOnlyDictionary<string, HealthLevel> Levels()
    {
        lock (_gate)
        {
            return _parts.ToDictionary(part => part.Key, part => part.Value.Level);
        }
    }

    /// <summary>The current state of all parts, as text.</summary>
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

    /// <summary>The name of a level.</summary>
    public static string Name(HealthLevel level) =>
        level switch
        {
            HealthLevel.Healthy => "healthy",
            HealthLevel.Degraded => "degraded",
            HealthLevel.NotReady => "not ready",
            _ => "failed",
        };
}
