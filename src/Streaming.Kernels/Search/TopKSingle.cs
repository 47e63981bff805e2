using System.Numerics.Tensors;

namespace Streaming.Kernels;

/// <summary>Few queries: one dot product after the other.</summary>
internal static class TopKSingle
{
    public static void Run(ref TopKJob job)
    {
        for (int query = 0; query < job.Queries; query++)
        {
            ReadOnlySpan<float> vector = job.Problem.Queries.Slice(query * job.Problem.QueryStride, job.Problem.Width);
            int last = ((query + 1) * job.Problem.Count) - 1;
            for (int item = 0; item < job.Items; item++)
            {
                if (!job.IsPresent(item))
                {
                    continue;
                }

                float score = TensorPrimitives.Dot(vector, job.Problem.Catalogue.Slice(item * job.Problem.CatalogueStride, job.Problem.Width)) * job.Scale(item);
                if (score > job.Problem.Scores[last])
                {
                    job.Offer(query, item, score);
                }
            }
        }
    }
}
