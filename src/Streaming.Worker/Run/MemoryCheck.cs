using System.Globalization;
using Streaming.Models.Options;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Run;

/// <summary>Compares the memory that the tables need with what the runtime may use, before anything starts: a worker that runs out of
/// memory after it has taken the lease would take it again after every restart.</summary>
internal static class MemoryCheck
{
    /// <summary>Program and clients: measured as committed memory beyond the tables after the first steps.</summary>
    private const long FixedBytes = 76L << 20;

    /// <summary>User tower and step buffers, per dimension of a vector; measured in the same way.</summary>
    private const long StepBytes = 400L << 10;

    /// <summary>Per item, in addition to its vector: indexes, counts, refresh sketches and digests, facts.</summary>
    private const int ItemBytes = 264;

    /// <summary>Vector and two optimizer moments, as floats.</summary>
    private const int BytesPerNumber = 3 * sizeof(float);

    /// <summary>Per bank entry, in addition to its vector: row, logQ, step.</summary>
    private const int EntryBytes = 16;

    /// <summary>The least memory that one of so many ranks needs for a model on the CPU, in bytes. Histories and the dedup window add to it
    /// as they fill.</summary>
    public static long Least(ModelOptions model, int ranks = 1) => FixedBytes + (StepBytes * model.Dimension) + Tables(model, ranks);

    /// <summary>The tables alone: of N ranks each stores 1/N of the vectors, and all else of every item.</summary>
    internal static long Tables(ModelOptions model, int ranks = 1) =>
        ((((long)model.ItemCapacity + ranks - 1) / ranks) * BytesPerNumber * model.Dimension)
        + ((long)model.ItemCapacity * ItemBytes)
        + ((long)model.BankCapacity * ((sizeof(float) * model.Dimension) + EntryBytes));

    /// <summary>Checks the memory.</summary>
    /// <param name="settings">All settings.</param>
    /// <param name="available">What the runtime may use, in bytes.</param>
    /// <param name="ranks">Ranks that train the model together.</param>
    /// <param name="local">How many of them are on this host, and share what is available.</param>
    /// <exception cref="SettingsException">It is too little: names both figures and the settings that count.</exception>
    public static void Require(StageOptions settings, long available, int ranks = 1, int local = 1)
    {
        ModelOptions model = settings.Model;
        long least = Least(model, ranks) * local;
        if (settings.Engine.Engine == EngineKind.Cpu && least > available)
        {
            throw new SettingsException([
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the model needs at least {least >> 20} MiB of memory{(local > 1 ? $" for {local} ranks on this host" : "")}, but "
                        + $"the runtime may use {available >> 20} MiB (in a container, three quarters of its limit). "
                        + $"Raise the limit, or lower STREAMING__Model__ItemCapacity ({model.ItemCapacity}), the largest of "
                        + $"STREAMING__Model__Widths ({model.Dimension}) or STREAMING__Model__BankCapacity ({model.BankCapacity})."
                ),
            ]);
        }
    }
}
