using System.Collections.Concurrent;
using Streaming.Models.Slices;

namespace Streaming.Serving.Recommendations;

/// <summary>A user tower with a pool of encoders, one per concurrent thread.</summary>
internal sealed class LoadedTower(SlicedModel model, long readAt)
{
    private readonly ConcurrentBag<UserEncoder> _encoders = [];

    public SlicedModel Model { get; } = model;

    /// <summary>Gets when a newer one was last looked for.</summary>
    public long ReadAt { get; } = readAt;

    /// <summary>The same tower and encoders, confirmed as the newest.</summary>
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
    /// <param name="items">[n × width] vectors of the user's items, oldest first; with none the start vector is used.</param>
    public float[] Encode(ReadOnlySpan<float> items)
    {
        UserEncoder encoder = _encoders.TryTake(out UserEncoder? free) ? free : Model.CreateEncoder();
        float[] vectors = new float[encoder.VectorLength];
        encoder.Encode(items, vectors);
        _encoders.Add(encoder);
        return vectors;
    }
}
