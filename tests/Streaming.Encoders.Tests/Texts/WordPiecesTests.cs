using Streaming.Encoders.Texts;
using Streaming.Formats.Inputs;
using Streaming.Tests;
using Xunit;

namespace Streaming.Encoders.Tests.Texts;

public class WordPiecesTests(Models models)
{
    /// <summary>The ids that BERT's own tokenizer gives with this vocabulary (bert-base-uncased).</summary>
    [Theory]
    [InlineData("Hello world", new[] { 101, 7592, 2088, 102 })]
    [InlineData("éclair", new[] { 101, 14925, 19771, 2099, 102 })]
    [InlineData("unbelievable!!", new[] { 101, 23653, 999, 999, 102 })]
    [InlineData("", new[] { 101, 102 })]
    public void Tokens_Text_AreThoseOfBert(string text, int[] tokens) =>
        Assert.Equal(tokens, WordPieces.Read(models.Vocabulary).Tokens(text, 128));

    [Fact]
    public void Tokens_LongText_EndsAtTheLimit()
    {
        IReadOnlyList<int> tokens = WordPieces.Read(models.Vocabulary).Tokens(string.Join(' ', Enumerable.Repeat("lamp", 100)), 16);

        Assert.Equal(16, tokens.Count);
        Assert.Equal(102, tokens[^1]);
    }

    [Fact]
    public void Tokens_CasedVocabulary_KeepsCaseAndAccents()
    {
        using var files = new TemporaryFiles();
        var pieces = WordPieces.Read(files.Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nCaf\u00E9\ncafe\nLamp\n"));

        Assert.Equal(8, pieces.Size);
        Assert.Equal([2, 5, 7, 1, 3], pieces.Tokens("Caf\u00E9 Lamp lamp", 16));
    }

    [Theory]
    [InlineData("hello\nworld\n", "it has no token [CLS]")]
    [InlineData("{\"model\":{\"type\":\"BPE\"}}", "it has no token [CLS]")]
    public void Read_WhatIsNoVocabulary_IsRefusedByName(string text, string problem)
    {
        using var files = new TemporaryFiles();
        string path = files.Write("vocab.txt", text);

        InputFileException error = Assert.Throws<InputFileException>(() => WordPieces.Read(path));
        Assert.StartsWith($"{path} is not a WordPiece vocabulary: {problem}; allowed: vocab.txt", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MissingFile_SaysThatItIsMissing()
    {
        InputFileException error = Assert.Throws<InputFileException>(() => WordPieces.Read("no-such-vocab.txt"));
        Assert.IsType<FileNotFoundException>(error.InnerException);
    }
}
