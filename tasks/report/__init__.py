"""The report: one self-contained page per deletion, for people who have never heard of unlearning.

May use ``measuring`` and below. Begin with ``page``: ``gathering`` collects the facts from what a deletion
left behind, with the words of ``others`` whose code ran, ``backing`` compares them with the signed
certificate, and ``page`` renders them. In between, each file turns facts into one kind of thing:
``headline`` into the verdict, ``cautions`` into what it may hide, ``erasure`` into where the data is,
``story`` into steps, ``earlier`` into what came before, ``summary`` into the numbers at the top, ``tables``
into rows, ``figures`` into drawings, which ``gallery`` chooses and ``inline`` embeds in the page. ``price``
says where the time went; ``words``, ``vocabulary``, ``measurements`` and ``numbers`` hold their common
wording. ``outputs`` writes the folder ``reports`` that DVC pins. ``explaining`` and ``notes`` describe a
deletion on the pages of MLflow and Prefect, for which ``model_figures`` and ``attempt_figures`` are drawn.
``drawing`` is the style of all figures. ``judged`` is the page about a model that Lethe did not make.
"""
