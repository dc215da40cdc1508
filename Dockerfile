# syntax=docker/dockerfile:1
# The whole platform in one image: docker build -t etlml . && docker run -p 127.0.0.1:8501:8501 -v etlml:/data etlml

FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir "uv>=0.9,<1" && uv venv /opt/venv
ENV VIRTUAL_ENV=/opt/venv
WORKDIR /app
COPY pyproject.toml requirements.txt README.md LICENSE ./
COPY etlml ./etlml
COPY api ./api
# The lock as constraints: the versions that were tested, without the tools of development.
RUN uv pip install --no-cache --compile-bytecode --constraint requirements.txt --editable .
COPY pages ./pages
COPY examples ./examples
COPY .streamlit ./.streamlit
COPY app.py ./

FROM python:3.11-slim-bookworm
# libcurl4 is what the embedded MongoDB links to.
RUN apt-get update && apt-get install -y --no-install-recommends libcurl4 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home etlml && install -d -o etlml -g etlml /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ETLML_HOME=/data \
    ETLML_HOST=0.0.0.0 \
    ETLML_LOG_FORMAT=json
WORKDIR /app
USER etlml
VOLUME /data
EXPOSE 8501 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as r; [r.urlopen(u, timeout=4) for u in ('http://127.0.0.1:8000/api/health', 'http://127.0.0.1:8501/_stcore/health')]"]
STOPSIGNAL SIGTERM
CMD ["etlml", "up", "--no-browser"]
