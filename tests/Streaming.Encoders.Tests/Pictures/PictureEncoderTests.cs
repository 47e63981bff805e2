using System.Numerics.Tensors;
using SkiaSharp;
using Streaming.Encoders.Pictures;
using Streaming.Formats.Inputs;
using Xunit;

namespace Streaming.Encoders.Tests.Pictures;

public class PictureEncoderTests(Models models)
{
    [Fact]
    public void Encode_RealModel_PutsPicturesOfAKindNearEachOther()
    {
        using PictureEncoder encoder = Create();
        float[][] vectors = encoder.Encode([
            Pixels(encoder, Drawing.Shape(isDisc: true, SKColors.Teal)),
            Pixels(encoder, Drawing.Shape(isDisc: true, SKColors.Teal, SKEncodedImageFormat.Webp, 90)),
            Pixels(encoder, Drawing.Shape(isDisc: false, SKColors.Teal)),
        ]);

        Assert.Equal(512, encoder.Length);
        Assert.All(vectors, static vector => Assert.Equal(1, TensorPrimitives.Norm<float>(vector), 1e-4));
        float same = TensorPrimitives.Dot<float>(vectors[0], vectors[1]);
        float other = TensorPrimitives.Dot<float>(vectors[0], vectors[2]);
        Assert.True(same > other + 0.1, $"{same} against {other}");
    }

    [Fact]
    public void Create_ModelOfAnotherKind_IsRefusedByName()
    {
        InputFileException error = Assert.Throws<InputFileException>(() =>
            new PictureEncoder(new PictureEncoderOptions { Model = models.Text }, 1)
        );
        Assert.Contains("allowed for pictures: one of float32", error.Message, StringComparison.Ordinal);
        Assert.Contains("input_ids", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_OutputThatTheModelLacks_IsRefusedByName()
    {
        InputFileException error = Assert.Throws<InputFileException>(() =>
            new PictureEncoder(new PictureEncoderOptions { Model = models.Picture, Output = "pooled" }, 1)
        );
        Assert.Contains("no output 'pooled' of float32; it has Pooling395_Output_0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fingerprint_OtherPixels_Differs()
    {
        using PictureEncoder caffe = Create();
        using var torch = new PictureEncoder(new PictureEncoderOptions { Model = models.Picture }, 1);
        using PictureEncoder again = Create();

        Assert.NotEqual(caffe.Fingerprint, torch.Fingerprint);
        Assert.Equal(caffe.Fingerprint, again.Fingerprint);
    }

    private PictureEncoder Create() =>
        new(new PictureEncoderOptions { Model = models.Picture, Pixels = PixelScale.All.First(static scale => scale.IsBgr) }, 2);

    private static float[] Pixels(PictureEncoder encoder, byte[] file)
    {
        Assert.Null(encoder.Read(file, out float[]? pixels));
        return pixels!;
    }
}
