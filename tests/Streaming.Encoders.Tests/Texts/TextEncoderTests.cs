using System.Numerics.Tensors;
using Streaming.Encoders.Texts;
using Streaming.Formats.Inputs;
using Streaming.Tests;
using Xunit;

namespace Streaming.Encoders.Tests.Texts;

public class TextEncoderTests(Models models)
{
    [Fact]
    public void Encode_RealModel_PutsTitlesOfAKindNearEachOther()
    {
        using TextEncoder encoder = Create();
        float[][] vectors = encoder.Encode(["red reading lamp", "crimson desk light", "garden spade with wooden handle"]);

        Assert.Equal(384, encoder.Length);
        Assert.All(vectors, static vector => Assert.Equal(1, TensorPrimitives.Norm<float>(vector), 1e-4));
        float same = TensorPrimitives.Dot<float>(vectors[0], vectors[1]);
        float other = TensorPrimitives.Dot<float>(vectors[0], vectors[2]);
        Assert.True(same > other + 0.2, $"{same} against {other}");
    }

    /// <summary>Padding is masked: what else is in a batch changes nothing but the last digits.</summary>
    [Fact]
    public void Encode_ShortTextBesideALongOne_IsWhatItIsAlone()
    {
        using TextEncoder encoder = Create();
        float[] alone = encoder.Encode(["lamp"])[0];
        float[] beside = encoder.Encode(["lamp", string.Join(' ', Enumerable.Repeat("a garden spade with wooden handle", 12))])[0];

        Assert.True(TensorPrimitives.Distance<float>(alone, beside) < 1e-4);
    }

    [Fact]
    public void Encode_Accents_AreThoseOfTheModelsTokenizer()
    {
        using TextEncoder encoder = Create();
        float[][] vectors = encoder.Encode(["Café crème", "cafe creme", "CAFE\u0301 CRE\u0300ME"]);

        Assert.Equal(vectors[1], vectors[0]);
        Assert.Equal(vectors[1], vectors[2]);
    }

    [Fact]
    public void Encode_Pooling_IsAnotherVector()
    {
        using TextEncoder mean = Create();
        using TextEncoder first = Create(TextPooling.First);

        Assert.True(TensorPrimitives.Dot<float>(mean.Encode(["red lamp"])[0], first.Encode(["red lamp"])[0]) < 0.99);
        Assert.NotEqual(mean.Fingerprint, first.Fingerprint);
    }

    [Fact]
    public void Create_VocabularyOfALargerModel_IsRefused()
    {
        using var files = new TemporaryFiles();
        string vocabulary = files.Write(
            "vocab.txt",
            File.ReadAllText(models.Vocabulary) + string.Concat(Enumerable.Range(0, 10).Select(static i => $"extra{i}\n"))
        );

        InputFileException error = Assert.Throws<InputFileException>(() => Create(models.Text, vocabulary));
        Assert.Contains($"model {models.Text}: it does not accept what it is given", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_ModelOfAnotherKind_IsRefusedByName()
    {
        InputFileException error = Assert.Throws<InputFileException>(() => Create(models.Picture, models.Vocabulary));
        Assert.Contains(
            "allowed for text: input_ids, and optionally attention_mask and token_type_ids",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Create_FewerTokensThanAllowed_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            new TextEncoder(
                new TextEncoderOptions
                {
                    Model = models.Text,
                    Vocabulary = models.Vocabulary,
                    MaxTokens = 7,
                },
                1
            )
        );

    private TextEncoder Create(TextPooling pooling = TextPooling.Mean) =>
        new(
            new TextEncoderOptions
            {
                Model = models.Text,
                Vocabulary = models.Vocabulary,
                Pooling = pooling,
            },
            2
        );

    private static TextEncoder Create(string model, string vocabulary) =>
        new(new TextEncoderOptions { Model = model, Vocabulary = vocabulary }, 1);
}
