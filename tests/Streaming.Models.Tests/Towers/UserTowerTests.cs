using Streaming.Models.Batches;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Models.Tests.Layers;
using Streaming.Models.Towers;
using Xunit;

namespace Streaming.Models.Tests.Towers;

/// <summary>What every tower must do, whatever is in it.</summary>
public sealed class UserTowerTests
{
    private const int Items = 9;
    private static readonly int[] Widths = [4, 12];

    public static TheoryData<TowerKind, NormPlacement, float> Towers =>
        new()
        {
            { TowerKind.FmrlRec, NormPlacement.Before, 0 },
            { TowerKind.FmrlRec, NormPlacement.After, 0 },
            { TowerKind.FmrlRec, NormPlacement.Before, 0.3f },
            { TowerKind.FmrlRec, NormPlacement.After, 0.3f },
            { TowerKind.YoutubeDnn, NormPlacement.Before, 0.3f },
            { TowerKind.Gru4Rec, NormPlacement.Before, 0.3f },
        };

    /// <summary>All parameters and all inputs, by differences; with dropout the masks of a step stay the same.</summary>
    [Theory]
    [MemberData(nameof(Towers))]
    public void Backward_EveryGradient_IsThatOfDifferences(TowerKind kind, NormPlacement norm, float dropout)
    {
        var c = Case.Create(Options(kind, norm, dropout), chunkSteps: 9);
        float[] weights = Gradients.Values(new Random(4), c.Plan.PredictionCount * 12);
        var lane = new Lane(c.Set.Length, Widths);

        c.Forward();
        weights.CopyTo(c.Tower.UserGradients(c.Plan));
        for (int i = 0; i < c.Plan.ChunkCount; i++)
        {
            c.Tower.Backward(c.Plan, c.Plan.ChunkAt(i), 5, lane);
        }

        Assert.True(c.Plan.ChunkCount > 1, "one chunk shows nothing of what goes between two");
        Gradients.Check("items", c.Items, 0, BySlot(c), Loss, 5e-3);
        Gradients.Check(c.Set, lane, Loss, 5e-3);

        double Loss()
        {
            c.Tower.Prepare();
            return Gradients.Loss(c.Forward(), weights);
        }
    }

    [Theory]
    [MemberData(nameof(Towers))]
    public void Forward_OneChunkOrMany_GivesTheSame(TowerKind kind, NormPlacement norm, float dropout)
    {
        float[] many = Case.Create(Options(kind, norm, dropout), chunkSteps: 4).Forward();

        float[] one = Case.Create(Options(kind, norm, dropout), chunkSteps: 1000).Forward();

        Assert.All(one.Zip(many), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    /// <summary>What comes after a step has no part in what is predicted there.</summary>
    [Theory]
    [MemberData(nameof(Towers))]
    public void Forward_LaterItemsChanged_EarlierPredictionsStay(TowerKind kind, NormPlacement norm, float dropout)
    {
        var before = Case.Create(Options(kind, norm, dropout), 1000, rows: [1, 2, 3, 4, 5], offsets: [0, 5], predictions: [2, 5]);
        var after = Case.Create(Options(kind, norm, dropout), 1000, rows: [1, 2, 6, 7, 8], offsets: [0, 5], predictions: [2, 5]);

        float[] x = before.Forward(),
            y = after.Forward();

        Assert.Equal(x[..12], y[..12]);
        Assert.NotEqual(x[12..], y[12..]);
    }

    [Fact]
    public void Create_KindThatIsNone_NamesThoseThatAre()
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() =>
            UserTower.Create(new ParameterSet(), new ModelOptions { Tower = (TowerKind)9 }, new Increments(Widths))
        );

        Assert.Contains("Tower is 9; allowed: FmrlRec, YoutubeDnn, Gru4Rec, Mind", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// The one of a user's interests that trains is the one that the positive agrees with most: by direction when scores are cosines.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Users_Mind_TakesTheInterestNearestToThePositive(bool cosine)
    {
        var c = Case.Create(
            Options(TowerKind.Mind, NormPlacement.Before, 0) with
            {
                Cosine = cosine,
            },
            1000,
            rows: [1, 2, 3, 4, 5, 6],
            offsets: [0, 4, 6],
            predictions: []
        );
        float[] outputs = c.Forward(),
            candidates = Gradients.Values(new Random(11), 4 * 12);
        int[] positives = [2, 0];

        ReadOnlySpan<float> users = c.Tower.Users(c.Plan, candidates, positives);

        for (int q = 0; q < 2; q++)
        {
            float[] label = candidates[(positives[q] * 12)..((positives[q] * 12) + 12)];
            float[] best = outputs[(q * 36)..((q * 36) + 36)]
                .Chunk(12)
                .MaxBy(interest => Gradients.Loss(interest, label) / (cosine ? Math.Sqrt(Gradients.Loss(interest, interest)) : 1))!;
            Assert.Equal(best, users.Slice(q * 12, 12).ToArray());
        }
    }

    [Fact]
    public void Advance_TowerWithoutState_IsRefused() =>
        Assert.Contains(
            "Mind has no recurrent form",
            Assert
                .Throws<NotSupportedException>(() =>
                    Case.Create(Options(TowerKind.Mind, NormPlacement.Before, 0), 100)
                        .Tower.Advance(new float[12], [], new float[12], new float[192])
                )
                .Message,
            StringComparison.Ordinal
        );

    private static ModelOptions Options(TowerKind kind, NormPlacement norm, float dropout) =>
        new()
        {
            Tower = kind,
            Norm = norm,
            Widths = Widths,
            Layers = 2,
            Interests = 3,
            HistoryLength = 6,
            ItemCapacity = 16,
            Dropout = [dropout],
            OutputLinear = kind == TowerKind.FmrlRec,
            OutputNorm = kind == TowerKind.FmrlRec,
        };

    // The gradient by an item is the sum of those of the steps where it stands.
    private static float[] BySlot(Case c)
    {
        float[] gradients = new float[c.Items.Length];
        for (int step = 0; step < c.Plan.StepCount; step++)
        {
            for (int i = 0; i < 12 && c.Plan.Slots[step] >= 0; i++)
            {
                gradients[(c.Plan.Slots[step] * 12) + i] += c.Tower.InputGradients[(step * 12) + i];
            }
        }

        return gradients;
    }

    private sealed record Case(UserTower Tower, ParameterSet Set, StepPlan Plan, float[] Items)
    {
        public static Case Create(
            ModelOptions options,
            int chunkSteps,
            int[]? rows = null,
            int[]? offsets = null,
            int[]? predictions = null
        )
        {
            var set = new ParameterSet();
            var tower = UserTower.Create(set, options, new Increments(Widths));
            Gradients.Allocate(set, new Random(1), 0.6f);
            tower.Prepare();
            var slots = new RowSlots();
            slots.Clear();
            var plan = new StepPlan();

            // A sequence without items, a repeated item, the longest, and one of one; all steps predict, or the last of each.
            rows ??= [1, 2, 1, 3, 4, 5, 6, 7, 8, 2];
            offsets ??= [0, 0, 3, 9, 10];
            predictions ??= options.Tower == TowerKind.Mind ? [] : [0, 1, 2, 4, 6, 9, 11, 13];
            plan.Plan(new JaggedRows { Rows = rows, Offsets = offsets }, predictions, slots, chunkSteps);
            tower.Reserve(plan);
            float[] table = Gradients.Values(new Random(2), UserTowerTests.Items * 12);
            return new(tower, set, plan, [.. slots.Rows.ToArray().SelectMany(row => table[(row * 12)..((row * 12) + 12)])]);
        }

        public float[] Forward()
        {
            for (int i = 0; i < Plan.ChunkCount; i++)
            {
                Tower.Forward(Plan, Plan.ChunkAt(i), Items, 5);
            }

            return Tower.Outputs(Plan).ToArray();
        }
    }
}
