using Streaming.Encoders.Onnx;
using Streaming.Formats.Inputs;
using Streaming.Tests;
using Xunit;

namespace Streaming.Encoders.Tests.Onnx;

public class OnnxModelTests(Models models)
{
    [Theory]
    [InlineData("item,title\n")]
    [InlineData("")]
    public void Load_WhatIsNoModel_IsRefusedByName(string content)
    {
        using var files = new TemporaryFiles();
        string path = files.Write("model.onnx", content);

        InputFileException error = Assert.Throws<InputFileException>(() => OnnxModel.Load(path, 1));
        Assert.StartsWith($"{path} is not a model that ONNX Runtime", error.Message, StringComparison.Ordinal);
        Assert.Contains("allowed: an ONNX file", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Load_TruncatedModel_IsRefused()
    {
        using var files = new TemporaryFiles();
        string path = files.Write("model.onnx", string.Empty);
        File.WriteAllBytes(path, File.ReadAllBytes(models.Picture)[..1_000_000]);

        Assert.Throws<InputFileException>(() => OnnxModel.Load(path, 1));
    }

    [Fact]
    public void Load_MissingFile_SaysThatItIsMissing()
    {
        InputFileException error = Assert.Throws<InputFileException>(() => OnnxModel.Load("no-such.onnx", 1));
        Assert.IsType<FileNotFoundException>(error.InnerException);
    }

    /// <summary>Large models keep their weights in files of their own, next to the model.</summary>
    [Fact]
    public void Fingerprint_OtherWeightsNextToTheModel_Differs()
    {
        using var files = new TemporaryFiles();
        string path = files.Write("model.onnx", string.Empty);
        File.Copy(models.Picture, path, overwrite: true);
        using var model = OnnxModel.Load(path, 1);
        string before = model.Fingerprint();
        files.Write("model.onnx_data", "weights");

        Assert.NotEqual(before, model.Fingerprint());
    }
}
