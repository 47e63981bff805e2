namespace Streaming.Encoders.Pictures;

/// <summary>How a model wants the numbers of pixels: what it was trained with.</summary>
public sealed record PixelScale
{
    private readonly float[] _mean;
    private readonly float[] _deviation;

    private PixelScale(string name, bool isBgr, float[] mean, float[] deviation)
    {
        Name = name;
        IsBgr = isBgr;
        _mean = mean;
        _deviation = deviation;
    }

    /// <summary>Gets the scales: torch (RGB, mean and deviation of ImageNet), clip (those of CLIP), tf (RGB, −1 … 1), caffe (BGR, 0 … 255
    /// less the mean of ImageNet).</summary>
    public static IReadOnlyList<PixelScale> All { get; } =
    [
        new("torch", false, [123.675f, 116.28f, 103.53f], [58.395f, 57.12f, 57.375f]),
        new("clip", false, [122.7709f, 116.7460f, 104.0937f], [68.5005f, 66.6322f, 70.3232f]),
        new("tf", false, [127.5f, 127.5f, 127.5f], [127.5f, 127.5f, 127.5f]),
        new("caffe", true, [103.939f, 116.779f, 123.68f], [1, 1, 1]),
    ];

    /// <summary>Gets the name.</summary>
    public string Name { get; }

    /// <summary>Gets whether blue comes first.</summary>
    public bool IsBgr { get; }

    /// <summary>Scales a value 0 … 255 of one of the three channels, in the model's order.</summary>
    public float Scale(int channel, byte value) => (value - _mean[channel]) / _deviation[channel];
}
