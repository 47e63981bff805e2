using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Streaming.Formats.Inputs;

namespace Streaming.Encoders.Onnx;

/// <summary>A model file, loaded for inference on the processor.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    private OnnxModel(string path, InferenceSession session)
    {
        Path = path;
        _session = session;
    }

    /// <summary>Gets the file.</summary>
    public string Path { get; }

    /// <summary>Gets the inputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;

    /// <summary>Loads a model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Threads of an operator.</param>
    /// <exception cref="InputFileException">The file is missing, or not a model that can be run.</exception>
    /// <exception cref="EncoderLibraryException">ONNX Runtime cannot be loaded.</exception>
    public static OnnxModel Load(string path, int threads)
    {
        InputFileException? missing = File.Exists(path) ? null : new($"{path}: the model file does not exist", new FileNotFoundException());
        if (missing is not null)
        {
            throw missing;
        }

        try
        {
            using var options = new SessionOptions
            {
                IntraOpNumThreads = threads,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            return new OnnxModel(path, new InferenceSession(path, options));
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InputFileException(
                $"{path} is not a model that ONNX Runtime {OrtEnv.Instance().GetVersionString()} can run ({OneLine(exception)}); allowed: "
                    + "an ONNX file whose operators it knows",
                exception
            );
        }
        catch (Exception exception) when (exception is TypeInitializationException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new EncoderLibraryException("ONNX Runtime", exception);
        }
    }

    /// <summary>The SHA-256 of the model: of the file, and of those next to it that begin with its name and hold its weights.</summary>
    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        foreach (string file in Directory.GetFiles(folder, System.IO.Path.GetFileName(Path) + "*").Order(StringComparer.Ordinal))
        {
            using FileStream stream = File.OpenRead(file);
            hash.AppendData(SHA256.HashData(stream));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The output to take: that of a name, or the first of floats.</summary>
    /// <exception cref="InputFileException">There is none.</exception>
    public string Output(string? name)
    {
        string[] floats =
        [
            .. _session.OutputNames.Where(output =>
                _session.OutputMetadata[output] is { IsTensor: true, ElementDataType: TensorElementType.Float }
            ),
        ];
        return (name is null ? floats.FirstOrDefault() : floats.FirstOrDefault(output => output == name))
            ?? throw Wrong(
                $"it has no output {(name is null ? string.Empty : $"'{name}' ")}of float32; it has "
                    + string.Join(", ", _session.OutputNames)
            );
    }

    /// <summary>Runs the model.</summary>
    /// <returns>The output; owned by the caller.</returns>
    /// <exception cref="InputFileException">The model does not accept the inputs.</exception>
    public IDisposableReadOnlyCollection<OrtValue> Run(IReadOnlyDictionary<string, OrtValue> inputs, string output)
    {
        try
        {
            return _session.Run(_run, inputs, [output]);
        }
        catch (OnnxRuntimeException exception)
        {
            throw Wrong($"it does not accept what it is given ({OneLine(exception)})", exception);
        }
    }

    /// <summary>The error that the file is not what is needed.</summary>
    public InputFileException Wrong(string problem, Exception? inner = null) => new($"model {Path}: {problem}", inner);

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }

    private static string OneLine(OnnxRuntimeException exception)
    {
        string message = exception.Message.ReplaceLineEndings(" ");
        return message.Length <= 300 ? message : message[..300] + "…";
    }
}
