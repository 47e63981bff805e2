using System.Collections.Concurrent;
using Streaming.Models.Slices;

namespace Streaming.Serving.Recommendations;

/// <summary>A user tower with encoders for as many threads as use it at a time.</summary>
internal sealed class LoadedTower(SlicedModel model, long readAt)
{
    private readonly ConcurrentBag<UserEncoder> _encoders = [];

    public SlicedModel Model { get; } = model;

    /// <summary>Gets when it was last asked whether there is a newer one.</summary>
    public long ReadAt { get; } = readAt;

    /// <summary>The same tower, with its encoders, when it is still the newest.</summary>
    public LoadedTower Renewed(long now)
    {
        var renewed = new LoadedTower(Model, now);
        while (_encoders.TryTake(out UserEncoder? encoder))
        {
            renewed._encoders.Add(encoder);
        }

        return renewed;
    }

    /// <summary>The user's vectors, [interests × width]; interests is 1 except for the mind tower.</summary>
    /// <param name="items">[n × width] vectors of the user's items, oldest first; none: the start vector's.</param>
    public float[] Encode(ReadOnlySpan<float> items)
    {
        UserEncoder encoder = _encoders.TryTake(out UserEncoder? free) ? free : Model.CreateEncoder();
        float[] vectors = new float[encoder.VectorLength];
        encoder.Encode(items, vectors);
        _encoders.Add(encoder);
        return vectors;
    }
}
