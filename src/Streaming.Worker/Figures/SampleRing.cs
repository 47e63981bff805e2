namespace Streaming.Worker.Figures;

/// <summary>The newest samples, up to a fixed number. Not thread-safe.</summary>
internal sealed class SampleRing(int capacity)
{
    private readonly FigureSample[] _samples = new FigureSample[capacity];
    private int _next;
    private int _count;

    /// <summary>Adds a sample; the oldest makes room.</summary>
    public void Add(FigureSample sample)
    {
        _samples[_next] = sample;
        _next = (_next + 1) % capacity;
        _count = Math.Min(_count + 1, capacity);
    }

    /// <summary>The samples taken after a time, oldest first.</summary>
    public FigureSample[] After(DateTimeOffset time)
    {
        int first = _next - _count + capacity;
        return [.. Enumerable.Range(first, _count).Select(at => _samples[at % capacity]).SkipWhile(sample => sample.At <= time)];
    }
}
