using System.Buffers;
using System.Security.Cryptography;
using Microsoft.ML.Tokenizers;
using Streaming.Formats.Inputs;
using Streaming.Learning.Text;

namespace Streaming.Encoders.Texts;

/// <summary>The tokens of texts by a WordPiece vocabulary (BERT). Whether it is cased shows in the vocabulary.</summary>
internal sealed class WordPieces
{
    private const int MaxBytes = 64 << 20;
    private static readonly SearchValues<char> UpperCase = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    private static readonly string[] Special = ["[CLS]", "[SEP]", "[PAD]", "[UNK]"];

    private readonly BertTokenizer _tokenizer;
    private readonly bool _isCased;

    private WordPieces(BertTokenizer tokenizer, bool isCased, int size, string fingerprint)
    {
        _tokenizer = tokenizer;
        _isCased = isCased;
        Size = size;
        Fingerprint = fingerprint;
    }

    /// <summary>Gets the number of tokens of the vocabulary.</summary>
    public int Size { get; }

    /// <summary>Gets the SHA-256 of the vocabulary.</summary>
    public string Fingerprint { get; }

    /// <summary>Gets the token that fills up short texts.</summary>
    public int Padding => _tokenizer.PaddingTokenId;

    /// <summary>Reads a vocabulary.</summary>
    /// <exception cref="InputFileException">It is missing, or not a WordPiece vocabulary.</exception>
    public static WordPieces Read(string path)
    {
        try
        {
            // vocab.txt of the largest multilingual BERT has 1 MB.
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes })
            {
                throw Wrong(path, $"it is longer than {MaxBytes >> 20} MiB");
            }

            byte[] bytes = File.ReadAllBytes(path);
            using var text = new StreamReader(new MemoryStream(bytes));
            var tokens = new HashSet<string>(StringComparer.Ordinal);
            int lines = 0;
            bool isCased = false;
            while (text.ReadLine() is { } token)
            {
                lines++;
                tokens.Add(token);
                isCased |= token is not ['[', .., ']'] && token.AsSpan().ContainsAny(UpperCase);
            }

            return Special.FirstOrDefault(token => !tokens.Contains(token)) is { } missing
                ? throw Wrong(path, $"it has no token {missing}")
                : new WordPieces(
                    BertTokenizer.Create(
                        new MemoryStream(bytes),
                        new BertOptions { LowerCaseBeforeTokenization = !isCased, RemoveNonSpacingMarks = false }
                    ),
                    isCased,
                    lines,
                    Convert.ToHexStringLower(SHA256.HashData(bytes))
                );
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputFileException($"{path}: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            throw Wrong(path, exception.Message);
        }
    }

    /// <summary>The tokens of a text, [CLS] and [SEP] included, at most so many.</summary>
    public IReadOnlyList<int> Tokens(string text, int max) =>
        _tokenizer.EncodeToIds(_isCased ? text : Accents.Remove(text), max, out _, out _);

    private static InputFileException Wrong(string path, string problem) =>
        new(
            $"{path} is not a WordPiece vocabulary: {problem}; allowed: vocab.txt of a BERT-like model, one token a line "
                + "(not tokenizer.json, nor SentencePiece)"
        );
}
